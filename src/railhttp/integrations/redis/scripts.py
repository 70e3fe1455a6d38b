"""The scripts that run on the server; each returns the server's time with its result."""

from typing import Final

READ: Final = """
local time = redis.call('TIME')
redis.call('SET', KEYS[1], '1', 'PX', 60000)
local values = {}
for i = 2, #KEYS do values[i - 1] = redis.call('GET', KEYS[i]) end
return {time[1], time[2], values}
"""
"""Reads keys after the first one, and writes that one: a server that is full or a replica fails."""

SWAP: Final = """
local time = redis.call('TIME')
local found = redis.call('GET', KEYS[1]) or ''
if found ~= ARGV[1] then return {time[1], time[2], 0, found} end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
elseif ARGV[3] == '0' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
if ARGV[4] ~= '' then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
return {time[1], time[2], 1, ARGV[2]}
"""
"""Compares and sets: expected value, new one, its lifetime in milliseconds, channel, message."""

LOAD: Final = """
local time = redis.call('TIME')
local found = redis.call('GET', KEYS[1]) or ''
if found ~= ARGV[1] then return {time[1], time[2], 1, found} end
local holder = redis.call('GET', KEYS[2]) or ARGV[2]
if holder ~= ARGV[2] then return {time[1], time[2], 0, found} end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return {time[1], time[2], 1, found}
"""
"""Reads tokens; if they are the known ones, takes the lease: known value, holder, milliseconds."""

SAVE: Final = """
local time = redis.call('TIME')
redis.call('SET', KEYS[1], ARGV[1])
if redis.call('GET', KEYS[2]) == ARGV[2] then redis.call('DEL', KEYS[2]) end
return {time[1], time[2], 1, ''}
"""
"""Writes tokens and ends the lease of their holder."""

RENEW: Final = """
local time = redis.call('TIME')
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {time[1], time[2], 0, ''} end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {time[1], time[2], 1, ''}
"""
"""Extends the lease of a holder."""
