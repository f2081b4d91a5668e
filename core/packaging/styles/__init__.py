"""The styles that ship with the product, one folder each, and the script that draws their base images."""
