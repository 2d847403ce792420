"""What the page of the policies shows: tables, the proxy and gold over KL, and what is said of them."""
