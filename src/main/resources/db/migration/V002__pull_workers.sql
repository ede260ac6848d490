-- Workers over HTTP: which workers a queue has, and which of its jobs they want. What follows in V003 to V005 is apart, so
-- that no table stays locked for longer than it takes to add a column, and no two at once.

-- Null means: those in the service.
alter table queue add column workers text check (workers in ('service', 'pull', 'both'));

-- Null only in what the previous version has written since, which a claim by type does not find. So a queue should get
-- pull workers when no node of the previous version is left.
alter table ready add column type text;
