-- Jobs that wait for others lie in "delayed", due on 9999-12-31: there, nothing that looks for what is due meets
-- them, and what cancels, expires, counts or keeps waiting jobs treats them as all others, in the previous version too.
alter table delayed
  add column missing integer, -- of those it depends on, how many have not ended; null if it waits for none
  add column key     text,   -- its concurrency key, if all that it waits for is that
  add column rank    bigint; -- its place among those who wait for the key
