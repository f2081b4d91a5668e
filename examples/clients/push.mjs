// Pushes a file of records, signed, with Node.js (18 or newer) alone.
// Usage: node push.mjs URL CLIENT SECRET_FILE INTERFACE FILE
import { createHash, createHmac, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

const [url, client, secretFile, name, file] = process.argv.slice(2);
const body = readFileSync(file);
const path = `/v1/interfaces/${name}/records`;
const timestamp = String(Date.now());
const nonce = randomUUID();
const digest = createHash("sha256").update(body).digest("hex");
const text = ["POST", path, timestamp, nonce, digest].join("\n");
const signature = createHmac("sha256", readFileSync(secretFile, "utf8").trim()).update(text).digest("base64");

const response = await fetch(url + path, {
  method: "POST",
  body,
  headers: {
    "Content-Type": file.endsWith(".ndjson") ? "application/x-ndjson" : "application/json",
    "Idempotency-Key": digest,
    "X-Client-Id": client,
    "X-Timestamp": timestamp,
    "X-Nonce": nonce,
    "X-Content-SHA256": digest,
    "X-Signature": signature,
  },
});
console.log(await response.text());
process.exitCode = response.ok ? 0 : 1;
