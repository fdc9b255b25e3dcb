"""The system under test as processes of this machine."""
