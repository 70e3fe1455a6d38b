"""An order service in railway style: it talks to three APIs, and undoes what it cannot finish.

`domain` decides and does no I/O, `apis` describes requests, `service` puts both on one track,
`server` is a world to try them in. Run it: `cd examples && python -m order_service`.
"""
