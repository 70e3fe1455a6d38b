"""The egress gate: which destinations a client may connect to."""

from railhttp.policy.egress import Egress

__all__ = ["Egress"]
