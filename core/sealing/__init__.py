"""Keys, certificates, electronic seals (GB/T 38540) and the signature values they make."""
