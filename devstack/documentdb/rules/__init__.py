"""
How each behaviour is played, a function for each. A request rule returns DocumentDB's response, or None where mongod responds;
it may change the command. A reply rule changes mongod's reply.
"""
