DROP FUNCTION search_near(uuid, text);
DROP FUNCTION near_words(uuid, text);
DROP TRIGGER products_search_words_inserted ON products;
DROP TRIGGER products_search_words_updated ON products;
DROP FUNCTION keep_search_words();
DROP TABLE search_words;
DROP INDEX idx_variants_sku;
DROP INDEX idx_products_name;
DROP INDEX idx_products_search;
ALTER TABLE products DROP COLUMN search_text, DROP COLUMN search_name;
DROP FUNCTION search_coarse(tsquery);
DROP FUNCTION search_begun(tsquery);
DROP FUNCTION search_query(text);
DROP FUNCTION search_vector(text);
DROP FUNCTION search_letters(text);
DROP TEXT SEARCH CONFIGURATION catalog_search;

-- Those that this database had before belong to somebody else.
DO $$
DECLARE
  v_name text;
BEGIN
  FOR v_name IN
    SELECT extname
      FROM pg_extension
     WHERE extname IN ('unaccent', 'pg_trgm', 'fuzzystrmatch', 'btree_gin') AND extowner = current_user::regrole
  LOOP
    EXECUTE format('DROP EXTENSION %I', v_name);
  END LOOP;
END $$;

CREATE FUNCTION product_search_vector(name text, description text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT setweight(to_tsvector('simple', name), 'A') || setweight(to_tsvector('simple', description), 'B')
$$;
CREATE INDEX idx_products_search ON products USING gin (product_search_vector(name, description));
