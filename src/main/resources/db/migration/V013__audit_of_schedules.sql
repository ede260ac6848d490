-- Whose settings were changed, where it was not the queue itself: a schedule, which submits to the queue.
alter table audit add column schedule text;
