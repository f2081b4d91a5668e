"""Webhook: delivers journal entries to an HTTP destination."""
