#!/bin/sh
# Pushes a record with its scanned pages, signed, with curl and openssl alone.
# Usage: push-scans.sh URL CLIENT SECRET_FILE INTERFACE RECORD.json PAGE...      (PAGE: .jpg, .png or .tif, in page order)
set -eu
url=$1 client=$2 secret=$(cat "$3") interface=$4 record=$5
shift 5

# The signature covers the whole body, so the body is built before it is sent (curl -F builds it too late).
body=$(mktemp)
trap 'rm -f "$body"' EXIT
boundary=$(openssl rand -hex 16)
{
  printf -- '--%s\r\nContent-Disposition: form-data; name="record"\r\nContent-Type: application/json\r\n\r\n' "$boundary"
  cat "$record"
  for page in "$@"; do
    printf '\r\n--%s\r\nContent-Disposition: form-data; name="scan"; filename="%s"\r\n\r\n' "$boundary" "$(basename "$page")"
    cat "$page"
  done
  printf '\r\n--%s--\r\n' "$boundary"
} > "$body"

path="/v1/interfaces/$interface/records"
timestamp="$(date +%s)000"                                   # Unix milliseconds
nonce=$(openssl rand -hex 16)                                # never the same twice
digest=$(openssl dgst -sha256 -hex < "$body" | sed 's/.* //')
signature=$(printf 'POST\n%s\n%s\n%s\n%s' "$path" "$timestamp" "$nonce" "$digest" |
  openssl dgst -sha256 -hmac "$secret" -binary | openssl base64 -A)

# The Idempotency-Key is made of the files, not of the body: another boundary does not make another push.
key=$(cat "$record" "$@" | openssl dgst -sha256 -hex | sed 's/.* //')

curl --silent --show-error --fail-with-body "$url$path" \
  -H "Content-Type: multipart/form-data; boundary=$boundary" \
  -H "Idempotency-Key: $key" \
  -H "X-Client-Id: $client" \
  -H "X-Timestamp: $timestamp" \
  -H "X-Nonce: $nonce" \
  -H "X-Content-SHA256: $digest" \
  -H "X-Signature: $signature" \
  --data-binary "@$body"
