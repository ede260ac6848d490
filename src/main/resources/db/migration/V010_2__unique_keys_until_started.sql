-- Alone in its transaction, since it keeps writers of the table waiting until the commit.
create trigger unique_keys_until_started
after insert on lease
referencing new table as moved
for each statement execute function free_unique_keys('started');
