"""Who are you, and what did your token promise: OAuth 2.0 and SMART App Launch 2.2."""
