import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import type { Answer } from '../platform/cache/answer.js';

/**
 * Routes return a cached object, which is sent as the text it is, with `generatedAt` in it: how old it is (Age), which one it is
 * (ETag), and 304 to who has it already. The browser keeps it for its user alone, and asks again each time.
 */
@Injectable()
export class CachedAnswerInterceptor implements NestInterceptor<Answer<object>, string | undefined> {
  intercept(context: ExecutionContext, next: CallHandler<Answer<object>>): Observable<string | undefined> {
    const http = context.switchToHttp();
    return next
      .handle()
      .pipe(map((answer) => send(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), answer)));
  }
}

function send(request: FastifyRequest, reply: FastifyReply, answer: Answer<object>): string | undefined {
  void reply.headers({
    etag: answer.etag,
    age: String(Math.floor(answer.ageMs / 1000)),
    'cache-control': 'private, no-cache',
    'content-type': 'application/json; charset=utf-8',
  });
  if (isKnown(request.headers['if-none-match'], answer.etag)) {
    void reply.status(304);
    return undefined;
  }
  const generatedAt = `{"generatedAt":"${new Date(answer.generatedAt).toISOString()}"`;
  return answer.json === '{}' ? `${generatedAt}}` : `${generatedAt},${answer.json.slice(1)}`;
}

/** By weak comparison (RFC 9110, 8.8.3.2): whoever compressed it on the way may have named it anew. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const known = ifNoneMatch?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return known.includes('*') || known.includes(etag.replace(/^W\//, ''));
}
