"""Who a person is: signing up, signing in, second factors, passwords, addresses, sessions."""
