-- Alone in its transaction, since it keeps writers of the table waiting until the commit.
create trigger unique_keys_until_finished
after insert on finished
referencing new table as moved
for each statement execute function free_unique_keys('started', 'finished');
