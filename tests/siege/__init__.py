"""The siege: the gateway as it is run for real, under load, while its processes, its database and its wires break."""
