SELECT shard.number, shard.hash_slots 
FROM shard
