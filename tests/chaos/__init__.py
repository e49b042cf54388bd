"""Everything that can happen to a running l4d, at random by a seed, under traffic that is accounted for."""
