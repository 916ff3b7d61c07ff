import { currentStore } from '../../common/request-context.js';
import { Prisma } from '../../generated/prisma/client.js';
import { categoryId, documentsOf, onShelf, type Shelf } from './products.queries.js';

/** What a product was found by, best first; the newest of the same rank first. */
export const RANK = {
  SKU: 6,
  NAME: 5,
  WORDS_IN_NAME: 4,
  WORDS_BEGUN_IN_NAME: 3,
  WORDS_ANYWHERE: 2,
  NEAR_IN_NAME: 1,
  NEAR_ANYWHERE: 0,
} as const;

/** A product's place in the list of a search. */
export interface SearchPlace {
  rank: number;
  id: string;
}

export interface SearchWanted extends Shelf {
  search: string;
  limit: number;
  /** Place of the last product seen. */
  after: SearchPlace | null;
}

export interface FoundRow extends SearchPlace {
  document: string;
}

/** Above every UUIDv7. */
const NEWEST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
/** Products that an index may name for one rank: as many are read and put in order in 2 ms. Above, see docs/search.md. */
const CANDIDATES = 2000;
/** Newest products read for each row of the page before the index is asked: 1 µs each, 10 µs where long texts are read. */
const NAMES_READ_PER_ROW = 50;
const TEXTS_READ_PER_ROW = 20;

const WHOLE = Prisma.sql`(SELECT asked.whole FROM asked)`;
const BEGUN = Prisma.sql`(SELECT asked.begun FROM asked)`;
const COARSE = Prisma.sql`(SELECT asked.coarse FROM asked)`;
/** The index is asked for all that was typed. */
const FINE = Prisma.sql`(SELECT asked.fine FROM asked)`;
const NEAR = Prisma.sql`(SELECT guessed.near FROM guessed)`;
const IN_NAME = Prisma.sql`p.search_name @@`;
const IN_TEXT = Prisma.sql`p.search_text @@`;

/**
 * The products found for what a person typed, by rank, one row more than a page, in one statement. Rank after rank is looked
 * through, and none that the page has no room for. What is typed is data to the planner, which would take the beginning of
 * a word for one product of fifty, or a common word for a reason to read all of them in the order of their ids.
 */
export function foundPage(wanted: SearchWanted): Prisma.Sql {
  const rows = wanted.limit + 1;
  // A word that must not be there must not be in the description either.
  const exclusive = wanted.search.includes('-');
  const also = (query: Prisma.Sql) => (exclusive ? Prisma.sql`AND ${IN_TEXT} ${query}` : Prisma.empty);
  const found = Prisma.sql`
    WITH ${asked(wanted)},
    sku AS MATERIALIZED (${bySku(wanted)}),
    named AS MATERIALIZED (${byName(wanted)}),
    whole AS MATERIALIZED (${tier(wanted, {
      rank: RANK.WORDS_IN_NAME,
      index: Prisma.sql`${IN_NAME} ${WHOLE} ${also(WHOLE)}`,
      but: Prisma.sql`strip(p.search_name) <> (SELECT asked.name FROM asked)`,
      read: rows * NAMES_READ_PER_ROW,
      when: Prisma.sql`(SELECT count(*) FROM named) < ${rows}::int AND ${WHOLE} IS NOT NULL`,
    })}),
    begun AS MATERIALIZED (${tier(wanted, {
      rank: RANK.WORDS_BEGUN_IN_NAME,
      index: Prisma.sql`${IN_NAME} ${COARSE} ${also(COARSE)}`,
      but: Prisma.sql`(${FINE} OR ${IN_NAME} ${BEGUN} ${also(BEGUN)}) AND NOT ${IN_NAME} ${WHOLE}`,
      read: rows * NAMES_READ_PER_ROW,
      when: Prisma.sql`(SELECT count(*) FROM whole) < ${rows}::int AND (SELECT asked.begins FROM asked)`,
    })}),
    anywhere AS MATERIALIZED (${tier(wanted, {
      rank: RANK.WORDS_ANYWHERE,
      index: Prisma.sql`${IN_TEXT} ${COARSE}`,
      but: Prisma.sql`(${FINE} OR ${IN_TEXT} ${BEGUN}) AND NOT ${IN_NAME} ${BEGUN}`,
      read: rows * TEXTS_READ_PER_ROW,
      when: Prisma.sql`(SELECT count(*) FROM whole) + (SELECT count(*) FROM begun) < ${rows}::int AND ${WHOLE} IS NOT NULL`,
    })}),
    guessed AS MATERIALIZED (${guess(wanted)}),
    near_name AS MATERIALIZED (${tier(wanted, {
      rank: RANK.NEAR_IN_NAME,
      index: Prisma.sql`${IN_NAME} ${NEAR}`,
      but: Prisma.sql`NOT ${IN_TEXT} ${BEGUN}`,
      read: rows * NAMES_READ_PER_ROW,
      when: Prisma.sql`${NEAR} IS NOT NULL`,
    })}),
    near_text AS MATERIALIZED (${tier(wanted, {
      rank: RANK.NEAR_ANYWHERE,
      index: Prisma.sql`${IN_TEXT} ${NEAR}`,
      but: Prisma.sql`NOT ${IN_NAME} ${NEAR} AND NOT ${IN_TEXT} ${BEGUN}`,
      read: rows * TEXTS_READ_PER_ROW,
      when: Prisma.sql`(SELECT count(*) FROM near_name) < ${rows}::int AND ${NEAR} IS NOT NULL`,
    })})
    SELECT p.*, hit.rank
      FROM (
        SELECT sku.id, sku.rank FROM sku WHERE ${isAfter(wanted, RANK.SKU, Prisma.sql`sku.id`)}
        UNION ALL SELECT named.id, named.rank FROM named
        UNION ALL SELECT whole.id, whole.rank FROM whole
        UNION ALL SELECT begun.id, begun.rank FROM begun
        UNION ALL SELECT anywhere.id, anywhere.rank FROM anywhere
        UNION ALL SELECT near_name.id, near_name.rank FROM near_name
        UNION ALL SELECT near_text.id, near_text.rank FROM near_text
        ORDER BY rank DESC, id DESC
        LIMIT ${rows}::int
      ) hit
     CROSS JOIN LATERAL (
       SELECT p.* FROM products p WHERE p.store_id = ${currentStore()}::uuid AND p.id = hit.id OFFSET 0
     ) p`;
  return Prisma.sql`${documentsOf(found, Prisma.sql`p.id, p.rank`)} ORDER BY p.rank DESC, p.id DESC`;
}

function asked({ search }: SearchWanted): Prisma.Sql {
  return Prisma.sql`asked AS MATERIALIZED (
      SELECT typed.whole, typed.begun, typed.coarse,
             typed.whole::text <> typed.begun::text AS begins, typed.coarse::text = typed.begun::text AS fine,
             strip(search_vector(${search}::text)) AS name
        FROM (
          SELECT q.query AS whole, search_begun(q.query) AS begun, search_coarse(search_begun(q.query)) AS coarse
            FROM search_query(${search}::text) AS q (query)
        ) typed
    )`;
}

/** Typing errors are looked for last, and not for somebody who writes a query with operators. */
function guess(wanted: SearchWanted): Prisma.Sql {
  const plain = !/"|(^|\s)-|(^|\s)or(\s|$)/i.test(wanted.search);
  return Prisma.sql`
    SELECT search_near(${currentStore()}::uuid, ${wanted.search}::text) AS near
     WHERE ${plain}::boolean
       AND (SELECT count(*) FROM named) + (SELECT count(*) FROM whole) + (SELECT count(*) FROM begun)
           + (SELECT count(*) FROM anywhere) < ${wanted.limit + 1}::int`;
}

/** Products with a variant of this SKU, in capitals or not. On every page: they are in no other rank. */
function bySku(wanted: SearchWanted): Prisma.Sql {
  return Prisma.sql`
    SELECT DISTINCT p.id, ${RANK.SKU}::int AS rank
      FROM (
        SELECT v.product_id
          FROM variants v
         WHERE v.store_id = ${currentStore()}::uuid AND lower(v.sku) = lower(${wanted.search}::text) AND v.archived_at IS NULL
         LIMIT 10
      ) v
     CROSS JOIN LATERAL (SELECT p.id FROM products p WHERE ${onShelf(wanted)} AND p.id = v.product_id OFFSET 0) p`;
}

/** Products whose name has these words and no others. */
function byName(wanted: SearchWanted): Prisma.Sql {
  return Prisma.sql`
    SELECT p.id, ${RANK.NAME}::int AS rank
      FROM products p
     WHERE ${onShelf(wanted)}
       AND strip(p.search_name) = (SELECT asked.name FROM asked)
       AND (${IN_TEXT} ${WHOLE}) IS TRUE
       AND ${notBySku()}
       AND ${isAfter(wanted, RANK.NAME, Prisma.sql`p.id`)}
     ORDER BY p.id DESC
     LIMIT ${wanted.limit + 1}::int`;
}

interface Tier {
  rank: number;
  /** What idx_products_search finds, and what it must not be; `but` costs more. */
  index: Prisma.Sql;
  but: Prisma.Sql;
  /** Newest products to read before the index is asked. */
  read: number;
  when: Prisma.Sql;
}

/**
 * The newest products of a rank after the cursor, as many as a page has rows. Of a common word the newest products have
 * enough. Where they haven't, and there are more of them, it is rare enough for the index to name all that have it.
 */
function tier(wanted: SearchWanted, { rank, index, but, read, when }: Tier): Prisma.Sql {
  const { after, limit } = wanted;
  const start = after?.rank === rank ? after.id : NEWEST;
  const open = Prisma.sql`${after === null || after.rank >= rank}::boolean AND ${when}`;
  return Prisma.sql`
      WITH newest AS MATERIALIZED (
        SELECT p.id, (${index} AND ${but} AND ${notBySku()}) AS found
          FROM (
            SELECT p.id, p.search_name, p.search_text
              FROM products p
             WHERE ${onShelf(wanted)} AND p.id < ${start}::uuid AND ${open}
             ORDER BY p.id DESC
             LIMIT ${read}::int
          ) p
      )
      SELECT newest.id, ${rank}::int AS rank FROM newest WHERE newest.found
      UNION
      (
        SELECT p.id, ${rank}::int
          FROM (
            SELECT p.id
              FROM products p
             WHERE ${indexed(wanted)}
               AND ${index}
               AND ${but}
               AND ${notBySku()}
               AND (p.id < ${start}::uuid) IS TRUE
               AND (SELECT count(*) FILTER (WHERE newest.found) <= ${limit}::int AND count(*) = ${read}::int FROM newest)
             LIMIT ${CANDIDATES}::int
          ) p
         ORDER BY p.id DESC
         LIMIT ${limit + 1}::int
      )`;
}

/** onShelf() for idx_products_search alone. */
function indexed({ category, withUnpublished }: Shelf): Prisma.Sql {
  const conditions = [
    Prisma.sql`uuid_send(p.store_id) = uuid_send(${currentStore()}::uuid)`,
    Prisma.sql`p.archived_at IS NULL`,
  ];
  if (!withUnpublished) conditions.push(Prisma.sql`p.published`);
  if (category !== undefined)
    conditions.push(Prisma.sql`uuid_send(p.category_id) = uuid_send(${categoryId(category)})`);
  return Prisma.join(conditions, ' AND ');
}

function notBySku(): Prisma.Sql {
  return Prisma.sql`p.id <> ALL (ARRAY(SELECT sku.id FROM sku))`;
}

function isAfter({ after }: SearchWanted, rank: number, id: Prisma.Sql): Prisma.Sql {
  const start = after?.rank === rank ? after.id : NEWEST;
  return Prisma.sql`${after === null || after.rank >= rank}::boolean AND ${id} < ${start}::uuid`;
}
