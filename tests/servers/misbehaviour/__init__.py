"""The misbehaviours, by the part of an exchange that they spoil."""
