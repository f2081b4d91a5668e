"""The command line: thin shells over use cases. Names and exit codes are fixed, scripts rely on them."""
