"""The manifests of deploy/kubernetes, rendered: validators, rules of our own, and mistakes that are planted in them."""
