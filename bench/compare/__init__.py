"""Compare arms of trials run by turns, or bundles that exist: what differs, by how much, and is it more than noise?"""
