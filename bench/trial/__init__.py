"""One run, from nothing to a result bundle, on any platform."""
