"""The operations on consents."""
