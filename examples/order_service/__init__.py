"""An order service in railway style: it calls three APIs and undoes the steps of a failed order.

`domain` decides without I/O, `apis` describes requests, `service` combines both into one track,
`server` runs fake APIs. Run it: `cd examples && python -m order_service`.
"""
