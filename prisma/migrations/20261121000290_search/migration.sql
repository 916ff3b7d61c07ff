-- Search in the catalog (docs/search.md, ADR 12): words by tsvector, typing errors by pg_trgm. All four extensions are
-- trusted: the owner of the database may create them.
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch;
CREATE EXTENSION IF NOT EXISTS btree_gin;

DROP INDEX idx_products_search;
DROP FUNCTION product_search_vector(text, text);

-- Words as they are but for case and accents: no stemming, which would need the language of every text.
CREATE TEXT SEARCH CONFIGURATION catalog_search (COPY = pg_catalog.simple);
ALTER TEXT SEARCH CONFIGURATION catalog_search
  ALTER MAPPING FOR word, hword, hword_part, numword, numhword, hword_numpart WITH unaccent, pg_catalog.simple;

-- Everything but letters, digits, double quotes and hyphens becomes a space, by code points: where the server's locale is C,
-- its own parser takes each dash and emoji for a letter. Names are qualified, since a dump is restored without a search path.
CREATE FUNCTION search_letters(content text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT regexp_replace(
    normalize(content, NFKC),
    '[\u0001-\u0021\u0023-\u002c\u002e\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf'
      '\u00d7\u00f7\u02b0-\u02ff\u2000-\u206f\u20a0-\u20cf\u2100-\u2bff\u3000-\u3004\u3008-\u3020\ufe00-\ufe0f'
      '\U0001f000-\U0001faff]+',
    ' ', 'g')
$$;

CREATE FUNCTION search_vector(content text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT to_tsvector('public.catalog_search', translate(public.search_letters(content), '"-', '  '))
$$;

-- What a person types: all words, "phrases", OR, and -words; never a syntax error. NULL where no word has to be there: what
-- has none of some words is most of the catalog.
CREATE FUNCTION search_query(typed text) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  v_query tsquery := websearch_to_tsquery(
    'public.catalog_search', regexp_replace(public.search_letters(typed), '([^ ])-+|-+( |$)', '\1 ', 'g')
  );
BEGIN
  RETURN CASE WHEN querytree(v_query) NOT IN ('', 'T') THEN v_query END;
END $$;

-- The same, its last word begun only, unless that one is negated or in a phrase.
CREATE FUNCTION search_begun(query tsquery) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN CASE WHEN query::text ~ '(^|[&|] )''[^'']+''$' THEN (query::text || ':*')::tsquery ELSE query END;
END $$;

-- What the index is asked for: not the beginning of one or two letters beside other words, which is half the index.
CREATE FUNCTION search_coarse(query tsquery) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN regexp_replace(query::text, ' & ''[^'']{1,2}'':\*$', '')::tsquery;
END $$;

-- Two, since the name's is short and stays in the row: a search of a common word reads it for a thousand products in 1 ms.
ALTER TABLE products
  ADD COLUMN search_name tsvector GENERATED ALWAYS AS (search_vector(name)) STORED,
  ADD COLUMN search_text tsvector GENERATED ALWAYS AS (search_vector(name || ' ' || description)) STORED;

-- With the store and the category inside, so that a word of other stores or shelves costs nothing. As bytes, since no other
-- index can be asked for these: without statistics the planner takes a store for 0.5 % of all products, and would rather read
-- all of them by its key. Without the list of pending entries, which every search after an import would have to read.
CREATE INDEX idx_products_search ON products
  USING gin (uuid_send(store_id), uuid_send(category_id), search_name, search_text)
  WITH (fastupdate = off) WHERE archived_at IS NULL;
-- Products whose name is what was typed, however many others have the words too.
CREATE INDEX idx_products_name ON products (store_id, strip(search_name), id DESC) WHERE archived_at IS NULL;
CREATE INDEX idx_variants_sku ON variants (store_id, lower(sku)) WHERE archived_at IS NULL;

-- The words of a store's catalog, which typing errors are put right by. One that is used no more stays: it finds nothing.
CREATE TABLE search_words (
  store_id uuid NOT NULL,
  word text NOT NULL,
  CONSTRAINT search_words_pkey PRIMARY KEY (store_id, word),
  CONSTRAINT search_words_store_id_fkey FOREIGN KEY (store_id) REFERENCES stores (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  CONSTRAINT search_words_length_check CHECK (char_length(word) BETWEEN 3 AND 40)
);
CREATE INDEX idx_search_words_like ON search_words USING gin (uuid_send(store_id), word gin_trgm_ops)
  WITH (fastupdate = off);

-- Only words that are new, in their order: two writers of the same new words wait for each other, and never in a circle.
CREATE FUNCTION keep_search_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO search_words (store_id, word)
  SELECT used.store_id, used.word
    FROM (
      SELECT DISTINCT p.store_id, l.lexeme AS word
        FROM changed p
       CROSS JOIN LATERAL unnest(p.search_text) l
       WHERE char_length(l.lexeme) BETWEEN 3 AND 40 AND l.lexeme !~ '[0-9]'
    ) used
   WHERE NOT EXISTS (SELECT 1 FROM search_words w WHERE w.store_id = used.store_id AND w.word = used.word)
   ORDER BY used.store_id, used.word
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER products_search_words_inserted AFTER INSERT ON products
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION keep_search_words();
CREATE TRIGGER products_search_words_updated AFTER UPDATE ON products
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION keep_search_words();
INSERT INTO search_words (store_id, word)
SELECT DISTINCT p.store_id, l.lexeme
  FROM products p
 CROSS JOIN LATERAL unnest(p.search_text) l
 WHERE char_length(l.lexeme) BETWEEN 3 AND 40 AND l.lexeme !~ '[0-9]';

-- The words that somebody may have meant: one typing error from four letters on, two from eight; two neighbours swapped
-- count as one. Nearest first, five at most. 0.2 is the similarity of two words of eight letters with two errors.
CREATE FUNCTION near_words(p_store uuid, p_word text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  v_errors CONSTANT int := CASE WHEN char_length(p_word) < 8 THEN 1 ELSE 2 END;
BEGIN
  IF char_length(p_word) NOT BETWEEN 4 AND 40 OR p_word ~ '[0-9]' THEN
    RETURN;
  END IF;
  PERFORM set_config('pg_trgm.similarity_threshold', '0.2', true);
  -- Planned at each call: a plan from when there were no words yet reads all of them.
  RETURN QUERY EXECUTE $near$
    SELECT near.word
      FROM (
        SELECT w.word, levenshtein_less_equal(w.word, $2, $3) AS errors
          FROM search_words w
         WHERE uuid_send(w.store_id) = uuid_send($1)
           AND w.word % $2
           AND abs(char_length(w.word) - char_length($2)) <= $3
         UNION
        SELECT w.word, 1
          FROM search_words w
         WHERE w.store_id = $1
           AND w.word = ANY (ARRAY(
             SELECT overlay($2 PLACING reverse(substr($2, i, 2)) FROM i FOR 2)
               FROM generate_series(1, char_length($2) - 1) i
           ))
      ) near
     WHERE near.word <> $2 AND near.errors <= $3
     GROUP BY near.word
     ORDER BY min(near.errors), similarity(near.word, $2) DESC, near.word
     LIMIT 5
  $near$ USING p_store, p_word, v_errors;
END $$;

-- The words typed, each or one near it, the last one begun or near. NULL when nothing is near, and for more than six words:
-- each costs a look for its neighbours.
CREATE FUNCTION search_near(p_store uuid, p_typed text) RETURNS tsquery LANGUAGE plpgsql AS $$
DECLARE
  v_word record;
  v_near text[];
  v_query tsquery;
  v_any boolean := false;
BEGIN
  FOR v_word IN
    SELECT l.lexeme AS text, row_number() OVER (ORDER BY l.positions[1] DESC) = 1 AS last, count(*) OVER () AS words
      FROM unnest(search_vector(p_typed)) l
  LOOP
    IF v_word.words > 6 THEN
      RETURN NULL;
    END IF;
    v_near := ARRAY(SELECT near_words(p_store, v_word.text));
    v_any := v_any OR cardinality(v_near) > 0;
    v_query := coalesce(v_query && one.query, one.query)
      FROM (
        SELECT string_agg(quote_literal(w) || CASE WHEN v_word.last AND w = v_word.text THEN ':*' ELSE '' END, '|')::tsquery
               AS query
          FROM unnest(v_word.text || v_near) w
      ) one;
  END LOOP;
  RETURN CASE WHEN v_any THEN v_query END;
END $$;
