"""SM3 and SM2 (GB/T 32905, GB/T 32918) and the DER they travel in; nothing here knows about licences."""
