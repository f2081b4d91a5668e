// Pushes a file of records, signed, with the Java class library (11 or newer) alone.
// Usage: java Push.java URL CLIENT SECRET_FILE INTERFACE FILE

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Push {
    public static void main(String[] args) throws Exception {
        String url = args[0], client = args[1], file = args[4];
        byte[] secret = Files.readString(Path.of(args[2])).trim().getBytes(StandardCharsets.UTF_8);
        byte[] body = Files.readAllBytes(Path.of(file));
        String path = "/v1/interfaces/" + args[3] + "/records";
        String timestamp = Long.toString(System.currentTimeMillis());
        String nonce = UUID.randomUUID().toString();
        String digest = hex(MessageDigest.getInstance("SHA-256").digest(body));
        String text = String.join("\n", "POST", path, timestamp, nonce, digest);
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret, "HmacSHA256"));
        String signature = Base64.getEncoder().encodeToString(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));

        HttpRequest request = HttpRequest.newBuilder(URI.create(url + path))
            .header("Content-Type", file.endsWith(".ndjson") ? "application/x-ndjson" : "application/json")
            .header("Idempotency-Key", digest)
            .header("X-Client-Id", client)
            .header("X-Timestamp", timestamp)
            .header("X-Nonce", nonce)
            .header("X-Content-SHA256", digest)
            .header("X-Signature", signature)
            .POST(HttpRequest.BodyPublishers.ofByteArray(body))
            .build();
        HttpResponse<String> response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(response.body());
        System.exit(response.statusCode() == 202 ? 0 : 1);
    }

    private static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte b : bytes) {
            text.append(String.format("%02x", b));
        }
        return text.toString();
    }
}
