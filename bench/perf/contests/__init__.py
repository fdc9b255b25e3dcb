"""The sides of rows that share them: claims, rebuilds, commit to visible."""
