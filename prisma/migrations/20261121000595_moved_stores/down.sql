DROP TRIGGER stores_moved ON stores;
DROP FUNCTION unfold_moved();
