"""Visibility strategies of an event table beside each other: what each costs, whom it lets stand, what it loses."""
