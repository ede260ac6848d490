-- The type of what waits already. Claims skip these rows for as long as it takes.
update ready set type = (select type from job where job.id = ready.id) where type is null;
