"""How well a detector does on generators that it has not seen."""
