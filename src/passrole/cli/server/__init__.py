"""Commands about a server and the clients that use it: serve, init, doctor, env, exec."""
