"""Documents that people read, made from the catalogue of metrics and from the records of a result."""
