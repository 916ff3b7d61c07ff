import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Operations } from '../../http/access.js';
import '../../platform/metrics/process.metrics.js';
import { registry } from '../../platform/metrics/registry.js';

@ApiTags('operations')
@Operations()
@Controller('metrics')
export class MetricsController {
  /** Everything that is measured, for Prometheus to scrape. */
  @ApiOkResponse({ content: { 'text/plain': { schema: { type: 'string' } } } })
  @Header('content-type', registry.contentType)
  @Get()
  metrics(): Promise<string> {
    return registry.metrics();
  }
}
