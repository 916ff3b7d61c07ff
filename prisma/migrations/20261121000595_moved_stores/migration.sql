-- In another time zone all days are others. They are folded anew even when the store moves back before that is done: a mark may have
-- been taken away by the day of the one zone that it lay in, and be missing on the other's.
CREATE FUNCTION unfold_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE rollup_days r SET timezone = '' WHERE r.store_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER stores_moved AFTER UPDATE OF timezone ON stores FOR EACH ROW
  WHEN (NEW.timezone <> OLD.timezone) EXECUTE FUNCTION unfold_moved();
