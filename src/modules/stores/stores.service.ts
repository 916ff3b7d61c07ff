import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { failure } from '../../common/exceptions/failure.js';
import { LarderConfig } from '../../config/config.js';
import { Database } from '../../platform/prisma/database.js';

const SLUG = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** Which store a request is for. Settings that decide about money are read in the statement that uses them, not here. */
@Injectable()
export class StoresService {
  /** A slug's id never changes; a short life only lets removed stores disappear. */
  private readonly idBySlug = new LRUCache<string, string>({ max: 10_000, ttl: 60_000 });

  constructor(
    private readonly database: Database,
    private readonly config: LarderConfig,
  ) {}

  /** @throws STORE_NOT_FOUND */
  async idOf(slug: string = this.config.DEFAULT_STORE): Promise<string> {
    const known = this.idBySlug.get(slug);
    if (known) return known;
    if (!SLUG.test(slug) || slug.length > 63) throw failure('STORE_NOT_FOUND');
    const store = await this.database.prisma.store.findUnique({ where: { slug }, select: { id: true } });
    if (!store) throw failure('STORE_NOT_FOUND');
    this.idBySlug.set(slug, store.id);
    return store.id;
  }
}
