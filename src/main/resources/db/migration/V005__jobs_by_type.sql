-- Serves the claim of some types only, however many jobs of other types wait before them. Alone in its transaction: while
-- it is built nothing is written to the table, and it waits for nothing but that.
create index ready_next_of_type on ready (queue, type, priority desc, rank, id) where recoveries = 0;
