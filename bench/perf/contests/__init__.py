"""The sides of rows that share them: claims, costs in a store of a size, rebuilds, commit to visible."""
