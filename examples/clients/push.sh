#!/bin/sh
# Pushes a file of records, signed, with curl and openssl alone.
# Usage: push.sh URL CLIENT SECRET_FILE INTERFACE FILE      (FILE: .json, or .ndjson with one record a line)
set -eu
url=$1 client=$2 secret=$(cat "$3") interface=$4 file=$5

path="/v1/interfaces/$interface/records"
timestamp="$(date +%s)000"                                   # Unix milliseconds
nonce=$(openssl rand -hex 16)                                # never the same twice
digest=$(openssl dgst -sha256 -hex < "$file" | sed 's/.* //')
signature=$(printf 'POST\n%s\n%s\n%s\n%s' "$path" "$timestamp" "$nonce" "$digest" |
  openssl dgst -sha256 -hmac "$secret" -binary | openssl base64 -A)

case $file in *.ndjson) media=application/x-ndjson ;; *) media=application/json ;; esac

# The Idempotency-Key is the digest of the body: sent again after a broken connection, the same file gets the same receipts.
curl --silent --show-error --fail-with-body "$url$path" \
  -H "Content-Type: $media" \
  -H "Idempotency-Key: $digest" \
  -H "X-Client-Id: $client" \
  -H "X-Timestamp: $timestamp" \
  -H "X-Nonce: $nonce" \
  -H "X-Content-SHA256: $digest" \
  -H "X-Signature: $signature" \
  --data-binary "@$file"
