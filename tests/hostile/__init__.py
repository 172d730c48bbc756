"""The product against peers that mean harm, or are broken as badly as if they did."""
