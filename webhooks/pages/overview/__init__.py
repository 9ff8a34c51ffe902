"""The overview: what is wrong now, how much goes out, and where messages find people."""
