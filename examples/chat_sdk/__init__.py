"""An SDK of a chat-completions API in one file (`sdk.py`), and a server to try it on."""
