"""What a review costs over TLS, beside an answer that takes no thought."""
