"""The connection to a MongoDB or DocumentDB server: the URI, the clients, and what the server's errors mean."""
