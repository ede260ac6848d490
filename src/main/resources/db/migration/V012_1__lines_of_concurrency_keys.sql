-- Serves the next ones of a key's line, and after one of them. Alone in its transaction, since nothing is written to the table
-- while it is built.
create index delayed_line on delayed (queue, key, (-priority), rank, id) where key is not null;
