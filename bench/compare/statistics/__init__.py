"""Statistics of pairs: the ratio of each, an exact interval, and one error rate for a whole table. Pure, and seeded."""
