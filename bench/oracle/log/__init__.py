"""The oracle over HTTP (proof level `log`): folds GET /events anew, and holds the pages of GET /todos against it.

It knows the contract alone, no database, and shares no code with what it judges: any stack that offers `events` can be
asked.
"""
