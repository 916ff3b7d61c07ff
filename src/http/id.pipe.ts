import { Injectable, type PipeTransform } from '@nestjs/common';
import { failure } from '../common/exceptions/failure.js';
import { isId } from '../common/ids.js';

/** An id in a path. One that is none can't exist: 404, as for any id that doesn't. */
@Injectable()
export class IdPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (!isId(value)) throw failure('NOT_FOUND');
    return value.toLowerCase();
  }
}
